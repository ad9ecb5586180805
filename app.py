"""Start the app: `python app.py`."""

if __name__ == "__main__":
    from mtst.ui.app import main

    main()
