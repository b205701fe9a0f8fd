/*
 * Random bytes from the kernel, digests from nettle.
 */
#include "token.h"

#include <errno.h>
#include <nettle/base64.h>
#include <nettle/hmac.h>
#include <nettle/memops.h>
#include <nettle/sha2.h>
#include <string.h>
#include <sys/random.h>

#include "hex.h"
#include "log.h"

_Static_assert(sizeof(struct hmac_sha256_ctx) <= TOKEN_MAC,
    "there is room for nettle's state");
_Static_assert(_Alignof(struct hmac_sha256_ctx) <= _Alignof(struct token_mac),
    "and it stands where nettle's may");

void
token_random(void *out, size_t n)
{
	ssize_t got;

	do
		got = getrandom(out, n, 0);
	while (got < 0 && errno == EINTR);
	if (got != (ssize_t)n)	/* cannot happen up to 256 bytes */
		log_fatal("getrandom: %s", strerror(errno));
}

bool
token_works(void)
{
	unsigned char byte;

	return getrandom(&byte, sizeof(byte), GRND_NONBLOCK) == sizeof(byte);
}

uint64_t
token_chance(void)
{
	uint64_t bits;

	token_random(&bits, sizeof(bits));
	return bits;
}

void
token_uuid_print(char out[TOKEN_UUID], const unsigned char bytes[16])
{
	char hex[33];

	token_hex(hex, bytes, 16);
	memcpy(out, hex, 8);
	memcpy(out + 9, hex + 8, 4);
	memcpy(out + 14, hex + 12, 4);
	memcpy(out + 19, hex + 16, 4);
	memcpy(out + 24, hex + 20, 13);
	out[8] = out[13] = out[18] = out[23] = '-';
}

/* A UUID is a name and no secret: sixteen of them are drawn at once. A child
 * that forks without exec(3) would have the same ones: none draws any.
 * Borrowed until the next call. */
static unsigned char *
token_uuid_draw(unsigned version)
{
	static unsigned char pool[16][16];
	static size_t left;
	unsigned char *b;

	if (left == 0) {
		token_random(pool, sizeof(pool));
		left = sizeof(pool) / sizeof(pool[0]);
	}
	b = pool[--left];
	b[6] = (unsigned char)((b[6] & 0x0f) | version << 4);
	b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
	return b;
}

void
token_uuid(char out[TOKEN_UUID])
{
	token_uuid_print(out, token_uuid_draw(4));
}

void
token_uuid_timed(char out[TOKEN_UUID], long long ms)
{
	unsigned char *b = token_uuid_draw(7);

	for (int i = 5; i >= 0; i--, ms >>= 8)
		b[i] = (unsigned char)ms;
	token_uuid_print(out, b);
}

bool
token_is_uuid(const char *text)
{
	int dashes = 0;

	if (strlen(text) != TOKEN_UUID - 1 || text[8] != '-' ||
	    text[13] != '-' || text[18] != '-' || text[23] != '-')
		return false;
	for (size_t i = 0; i < TOKEN_UUID - 1; i++)
		dashes += hex_digit(text[i]) < 0;
	return dashes == 4;
}

void
token_sha256(unsigned char out[TOKEN_SHA256], const void *data, size_t len)
{
	struct sha256_ctx ctx;

	sha256_init(&ctx);
	sha256_update(&ctx, len, data);
	sha256_digest(&ctx, TOKEN_SHA256, out);
}

static struct hmac_sha256_ctx *
token_mac_state(struct token_mac *mac)
{
	return (void *)mac->state;
}

void
token_mac_set(struct token_mac *mac, const void *key, size_t keylen)
{
	hmac_sha256_set_key(token_mac_state(mac), keylen, key);
}

void
token_mac_add(struct token_mac *mac, const void *data, size_t len)
{
	hmac_sha256_update(token_mac_state(mac), len, data);
}

void
token_mac_end(struct token_mac *mac, unsigned char out[TOKEN_SHA256])
{
	hmac_sha256_digest(token_mac_state(mac), TOKEN_SHA256, out);
}

void
token_hmac(unsigned char out[TOKEN_SHA256], const void *key, size_t keylen,
    const void *data, size_t len)
{
	struct token_mac mac = { .state = { 0 } };

	token_mac_set(&mac, key, keylen);
	token_mac_add(&mac, data, len);
	token_mac_end(&mac, out);
}

void
token_hex(char *out, const void *data, size_t n)
{
	const unsigned char *bytes = data;

	for (size_t i = 0; i < n; i++) {
		out[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
		out[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
	}
	out[2 * n] = '\0';
}

/* Of three bytes. */
static void
token_base64url_four(char four[4], const unsigned char *bytes)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789-_";
	unsigned bits = (unsigned)(bytes[0] << 16 | bytes[1] << 8 | bytes[2]);

	four[0] = digits[bits >> 18];
	four[1] = digits[bits >> 12 & 63];
	four[2] = digits[bits >> 6 & 63];
	four[3] = digits[bits & 63];
}

/* Each poll does this, for which nettle's is slow: it can go on where it
 * stopped, and makes padding. */
void
token_base64url(char *out, const void *data, size_t n)
{
	const unsigned char *bytes = data;
	unsigned char rest[3] = { 0 };
	char last[4];

	for (; n >= 3; n -= 3, bytes += 3, out += 4)
		token_base64url_four(out, bytes);
	if (n > 0) {
		memcpy(rest, bytes, n);
		token_base64url_four(last, rest);
		memcpy(out, last, n + 1);
		out += n + 1;
	}
	*out = '\0';
}

void
token_base64(char *out, const void *data, size_t n)
{
	base64_encode_raw(out, n, data);
	out[BASE64_ENCODE_RAW_LENGTH(n)] = '\0';
}

long
token_unbase64(char *out, size_t max, const char *text)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789+/";
	struct base64_decode_ctx ctx;
	size_t digits = strspn(text, alphabet), len = strlen(text), got = 0;

	/* nettle would skip white space, and takes as much room as it needs */
	if (len % 4 != 0 || len - digits > 2 || digits * 3 / 4 > max ||
	    strspn(text + digits, "=") < len - digits)
		return -1;
	base64_decode_init(&ctx);
	if (!base64_decode_update(&ctx, &got, (uint8_t *)out, len, text) ||
	    !base64_decode_final(&ctx))
		return -1;
	out[got] = '\0';
	return (long)got;
}

bool
token_equal(const char *a, const char *b)
{
	size_t n = strlen(a);

	return n == strlen(b) && memeql_sec(a, b, n) != 0;
}

bool
token_same(const void *a, const void *b, size_t n)
{
	return memeql_sec(a, b, n) != 0;
}
