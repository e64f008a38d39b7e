//! What the user asks for: one module a command.
