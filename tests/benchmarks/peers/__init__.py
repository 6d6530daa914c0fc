"""What users would take instead of StackChain, on the same account and the same stacks."""
