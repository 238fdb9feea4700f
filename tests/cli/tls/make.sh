#!/bin/sh
# Makes the certificate of a hub with links under hub.test, its own authority, good from 2020 to 2119.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
cat > "$work/ca.conf" << END
[ca]
default_ca = test
[test]
new_certs_dir = $work
database = $work/index
serial = $work/serial
default_md = sha256
policy = any
[any]
commonName = supplied
[hub]
basicConstraints = critical, CA:TRUE
subjectAltName = DNS:hub.test, DNS:*.hub.test, DNS:localhost
END
: > "$work/index"
echo 01 > "$work/serial"
openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=hub.test -keyout hub_key.pem -out "$work/csr"
openssl ca -batch -notext -config "$work/ca.conf" -extensions hub -startdate 20200101000000Z -enddate 21190101000000Z \
  -in "$work/csr" -selfsign -keyfile hub_key.pem > hub.pem
