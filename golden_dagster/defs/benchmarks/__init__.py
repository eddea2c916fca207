"""What the study's forecasters and the platform cost, measured when somebody asks."""
