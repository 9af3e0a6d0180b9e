"""What operations declare, one file each: types of input, type of result, semantic version, name in a definition.

`table.window_operation(name)` and `table.group_operation(name)` find one; an unknown name gets a suggestion. A new
file is found without any list to edit. How an operation over windows is computed stands in a file of the same name in
`kernels/operations`; docs/add-an-operation.md walks through both.
"""
