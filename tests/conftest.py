"""What all tests share: nothing, except that ``tests.lab`` can be imported from anywhere."""
