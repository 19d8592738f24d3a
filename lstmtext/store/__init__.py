"""What lies on the disk: checkpoint folders and run folders. Never imports torch."""
