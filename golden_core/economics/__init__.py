"""What forecasts earn when they are traded: positions, costs, the account, the worth of its returns. No tests here."""
