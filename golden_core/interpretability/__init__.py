"""What a fitted network looks at, and tests that tell an explanation from a picture. Nothing here enters a forecast."""
