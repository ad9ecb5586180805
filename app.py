"""Start the app: `python app.py`."""

if __name__ == "__main__":
    from mtst.ui.server.process.paused_gc import paused_gc

    with paused_gc():
        # The slow imports are split: this one before the page, torch and the rest in the background after it. So the
        # page opens a fifth later than an empty one would, and the first prediction waits less.
        import sklearn.metrics  # noqa: F401

        from mtst.ui.app import main

    main()
