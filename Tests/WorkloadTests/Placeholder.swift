// The module's first test replaces this one.
