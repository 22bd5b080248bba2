"""The shell's door, the command `ciopt`: one module a command family."""
