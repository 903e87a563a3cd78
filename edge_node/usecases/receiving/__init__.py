"""How an event comes in: from the bytes of a webhook to two synced stores."""
