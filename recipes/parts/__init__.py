"""What recipes are made of: run folders, measures, reports, files, and commands."""
