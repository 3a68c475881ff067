"""The behaviour of Stripe: payments, invoices, subscriptions, refunds, disputes and payouts, each with its events.

Imports go one way: balance and charging do not import invoicing, invoicing does not import checkout, settlement imports
what it needs of them. Every function takes the world first and runs inside its transaction.
"""
