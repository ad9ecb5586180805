"""Start the app: `python app.py`."""

if __name__ == "__main__":
    import gc

    gc.disable()  # imports create objects that stay: scanning them again and again takes a quarter of the time

    # Of what takes seconds to import, this stands in front of the page, and torch and the rest behind it: so the page
    # comes a fifth later than an empty one would, and the first prediction does not keep its visitor for long.
    import sklearn.metrics  # noqa: F401

    from mtst.ui.app import main

    gc.freeze()
    gc.enable()
    main()
