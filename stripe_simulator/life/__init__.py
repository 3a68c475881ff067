"""What Stripe does: payments, invoices, subscriptions, refunds, disputes and payouts, each with its events.

Imports go one way: balance and charging know nothing of invoices, invoicing nothing of checkout; settlement knows them
all. Everything takes the world first and runs inside its transaction.
"""
