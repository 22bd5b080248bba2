"""What records of earlier runs prove. Pure."""
