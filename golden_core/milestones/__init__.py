"""The plan and the proof: milestones, their evidence, who signed what, and the state that follows from it."""
