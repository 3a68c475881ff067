"""Builders: each makes one Stripe object with the fields of the SDK's pinned version, and stores nothing."""
