"""Published claims of skill, restated as studies of this project: what was claimed, what holds, which leak would do."""
