"""Networks: nn.Module only. How they are trained, and what their numbers mean, belongs elsewhere."""
