"""One readable script a task: it trains, measures, exports and verifies."""
