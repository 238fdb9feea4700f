#!/bin/sh
# Makes the certificates of this folder, good from 2020 to 2119: an authority, a server of its, and another authority
# that knows no server. Nobody's machine trusts them, and the authorities' keys are thrown away.
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
unique_subject = no
[any]
commonName = supplied
[authority]
basicConstraints = critical, CA:TRUE
[server]
subjectAltName = DNS:api.internal, IP:127.0.0.1
END
: > "$work/index"
echo 01 > "$work/serial"

# sign NAME KEY EXTENSIONS [OPTION…]: a request for NAME with a new key, and the certificate for it on standard output.
sign() {
  name=$1 key=$2 extensions=$3
  shift 3
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$name" -keyout "$key" -out "$work/csr"
  openssl ca -batch -notext -config "$work/ca.conf" -extensions "$extensions" \
    -startdate 20200101000000Z -enddate 21190101000000Z -in "$work/csr" "$@"
}

sign "connectd test authority" "$work/ca.key" authority -selfsign -keyfile "$work/ca.key" > ca.pem
sign "connectd other authority" "$work/other.key" authority -selfsign -keyfile "$work/other.key" > other_ca.pem
sign api.internal server_key.pem server -cert ca.pem -keyfile "$work/ca.key" > server.pem
