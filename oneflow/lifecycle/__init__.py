"""What services do next, and what can be asked of them. Pure: values in, values out."""
