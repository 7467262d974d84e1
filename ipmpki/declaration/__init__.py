"""pki.toml as written (tables), as judged (model, validate) and as meant (resolve, fleet), and its editor.

It gets texts and gives values. It opens no file, asks no clock, and knows neither what was issued nor how a
certificate is made.
"""
