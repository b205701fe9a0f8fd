#ifndef TOKEN_H
#define TOKEN_H
/*
 * Secrets and digests: random bytes, SHA-256, HMAC, base64url, and a
 * comparison that does not tell where two secrets differ. The only user of
 * nettle.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	TOKEN_SHA256 = 32,	/* bytes */
	TOKEN_MAC = 384,	/* bytes of what nettle keeps for a key */
	TOKEN_UUID = 37,	/* characters of a UUID, and the NUL */
};

/* getrandom(2); n at most 256. Ends the program if the kernel refuses. */
void token_random(void *out, size_t n);
bool token_works(void);			/* whether the kernel has any */
uint64_t token_chance(void);		/* 64 random bits */
void token_uuid(char out[TOKEN_UUID]);	/* version 4, RFC 9562, lower case */
/* Version 7: those of a later ms (since 1970) sort behind; 74 random bits. */
void token_uuid_timed(char out[TOKEN_UUID], long long ms);
void token_uuid_print(char out[TOKEN_UUID], const unsigned char bytes[16]);
bool token_is_uuid(const char *);	/* 8-4-4-4-12 hex digits, any version */

void token_sha256(unsigned char out[TOKEN_SHA256], const void *, size_t);
void token_hmac(unsigned char out[TOKEN_SHA256], const void *key,
    size_t keylen, const void *, size_t);	/* HMAC-SHA256, RFC 2104 */

/*
 * The same in pieces: set once for a key, copied for each text, added to,
 * ended. What it took to set it, which is half of a short text's cost, is paid
 * once. Holds the key: explicit_bzero(3) is its end.
 */
struct token_mac { uint64_t state[TOKEN_MAC / 8]; };

void token_mac_set(struct token_mac *, const void *key, size_t keylen);
void token_mac_add(struct token_mac *, const void *, size_t);
void token_mac_end(struct token_mac *, unsigned char out[TOKEN_SHA256]);

/* out takes 2n + 1, and (n * 4 + 2) / 3 + 1 characters with the NUL. */
void token_hex(char *out, const void *, size_t n);
void token_base64url(char *out, const void *, size_t n);  /* RFC 4648, 5 */

/* Standard base64 with padding (RFC 4648, 4); out takes TOKEN_BASE64(n). */
void token_base64(char *out, const void *, size_t n);
#define TOKEN_BASE64(n)	(((n) + 2) / 3 * 4 + 1)

/*
 * Standard base64 as in HTTP Basic (RFC 7617). At most max bytes; a NUL is
 * put behind them, so out has max + 1. The length, or -1 when it is malformed
 * or too long.
 */
long token_unbase64(char *out, size_t max, const char *text);

/* Equal in time that depends on the lengths only. */
bool token_equal(const char *, const char *);
bool token_same(const void *, const void *, size_t);

#endif
