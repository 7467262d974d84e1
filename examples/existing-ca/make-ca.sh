#!/bin/sh
# Makes an authority with openssl, as a company's security department might have done it years
# ago: ca-cert.pem and ca-key.pem, the latter encrypted with $IPMPKI_CA_PASSPHRASE.
#
# Only for this example. It overwrites nothing.
set -eu

cd "$(dirname "$0")"

if [ -z "${IPMPKI_CA_PASSPHRASE:-}" ]; then
    echo "make-ca.sh: choose a passphrase first: export IPMPKI_CA_PASSPHRASE='...'" >&2
    exit 2
fi
for file in ca-key.pem ca-cert.pem ca.cnf; do
    if [ -e "$file" ]; then
        echo "make-ca.sh: $file is there already; nothing was changed" >&2
        exit 1
    fi
done

# Whoever reads the key can issue certificates: it is created readable by its owner alone.
umask 077
trap 'rm -f ca.cnf' EXIT

# The key: RSA, 3072 bits, encrypted. 'env:' keeps the passphrase off the command line, where
# 'ps' would show it to everybody.
openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:3072 \
    -aes-256-cbc -pass env:IPMPKI_CA_PASSPHRASE -out ca-key.pem

# What makes a certificate an authority's: CA:TRUE, and the right to sign certificates and
# revocation lists (RFC 5280, 4.2.1.9 and 4.2.1.3). pathlen:0 means that it signs computers, not
# further authorities.
cat > ca.cnf <<'CNF'
[req]
distinguished_name = name
x509_extensions = authority
prompt = no
[name]
C = US
O = Acme Corporation
CN = Acme Internal CA
[authority]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always
CNF

# The certificate: signed with its own key, good for five years.
openssl req -x509 -new -config ca.cnf -key ca-key.pem -passin env:IPMPKI_CA_PASSPHRASE \
    -sha256 -days 1825 -out ca-cert.pem
chmod 644 ca-cert.pem

echo "make-ca.sh: made ca-cert.pem and ca-key.pem; next: ipmpki build pki.toml"
