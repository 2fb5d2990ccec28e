"""What services are made of: values without effects."""
