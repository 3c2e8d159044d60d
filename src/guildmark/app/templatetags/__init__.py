"""What templates may ask beyond Django's own."""
