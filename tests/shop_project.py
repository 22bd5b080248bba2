"""A small project that several test files share: a shop, a fixture, tests of both modules."""

PRODUCT = {
    "pytest.ini": "[pytest]\npythonpath = .\n",
    "shop/__init__.py": "",
    "shop/prices.py": "def price(n):\n    return 2 * n\n",
    "shop/cart.py": """
        from shop.prices import price

        def total(ns):
            return sum(map(price, ns))
        """,
    "shop/stock.py": "def stock():\n    return 3\n",
    "tests/conftest.py": """
        import pytest

        @pytest.fixture
        def basket():
            return [1, 2]
        """,
}
TEST_TOTAL = """
    from shop.cart import total

    def test_total(basket):
        assert total(basket) == 6
    """
TEST_CART = f"""{TEST_TOTAL}
    def test_empty():
        assert total([]) == 0
    """
TEST_STOCK = """
    from shop.stock import stock

    def test_stock():
        assert stock() == 3
    """
