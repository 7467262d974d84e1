"""Problems for people (text), programs (json, sarif) and continuous integration (github, junit)."""
