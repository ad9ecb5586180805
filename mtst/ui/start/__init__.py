"""The Start tab: what the page is for, and a demo of freezing."""
