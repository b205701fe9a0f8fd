/*
 * trust.so: preloaded into a worker by worker_tls.bats. The machine's file of
 * CAs is $TRUST, so that a certificate of the test's own CA is believed.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef FILE *trust_call(const char *, const char *);

/* As OpenSSL opens it. */
FILE *
fopen64(const char *path, const char *mode)
{
	trust_call *real = (trust_call *)dlsym(RTLD_NEXT, "fopen64");
	const char *trust = getenv("TRUST");

	if (trust != NULL &&
	    strcmp(path, "/etc/ssl/certs/ca-certificates.crt") == 0)
		path = trust;
	return real(path, mode);
}
