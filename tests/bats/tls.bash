# tls.bash: certificates for the tests, of CAs that live as long as they.
#
# shellcheck disable=SC2154	# helper's: dir

# ca NAME: $dir/NAME.pem, $dir/NAME.key.
ca()
{
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	    -days 2 -subj "/CN=$1" -keyout "$dir/$1.key" -out "$dir/$1.pem" \
	    2>/dev/null
}

# cert CA NAME SUBJECT-ALT-NAME [DAYS]: the same, issued by CA. DAYS below 0:
# it has expired.
cert()
{
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
	    -subj "/CN=$2" -keyout "$dir/$2.key" -out "$dir/$2.csr" \
	    2>/dev/null
	openssl x509 -req -in "$dir/$2.csr" -CA "$dir/$1.pem" \
	    -CAkey "$dir/$1.key" -CAcreateserial -days "${4:-2}" \
	    -extfile <(echo "subjectAltName=$3") -out "$dir/$2.pem" \
	    2>/dev/null
}
