"""Start the app: `python app.py`."""

if __name__ == "__main__":
    import gc

    gc.disable()  # until all is imported: it would look again and again at what stays, a quarter of the time in all

    from mtst.ui.app import main

    main()
