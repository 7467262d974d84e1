"""Every file of ``dist/hosts/NAME/``, of ``dist/ansible/`` and of the order forms, as bytes."""
