"""What reward models are fitted to, and how they are measured against people, and raters known."""
