"""How people come onto the list, change their mind, and leave it."""
