/*
 * Entity tags: made from version and bytes, compared weakly.
 */
#include "etag.h"

#include <stdio.h>
#include <string.h>

#include "token.h"

/* One tag of a list, without its quotes; end is where the search goes on. */
struct etag_item {
	const char *text;
	size_t len;
	const char *end;
};

void
etag_make(char out[ETAG_SIZE], long long version, const void *body, size_t len)
{
	unsigned char sum[TOKEN_SHA256];
	char hex[2 * TOKEN_SHA256 + 1];

	token_sha256(sum, body, len);
	token_hex(hex, sum, sizeof(sum));
	snprintf(out, ETAG_SIZE, "\"%lld-%.16s\"", version, hex);
}

static bool
etag_next(const char *list, struct etag_item *item)
{
	const char *close;

	list += strspn(list, " \t,");
	if (strncmp(list, "W/", 2) == 0)
		list += 2;
	if (*list != '"' || (close = strchr(list + 1, '"')) == NULL)
		return false;
	item->text = list + 1;
	item->len = (size_t)(close - list - 1);
	item->end = close + 1;
	return true;
}

/* The length without the suffix that a compressing proxy adds. */
static size_t
etag_plain(const struct etag_item *item)
{
	static const char *const suffixes[] = {
		"-gzip", "-br", "-deflate", "-zstd",
	};

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		size_t n = strlen(suffixes[i]);

		if (item->len > n && memcmp(item->text + item->len - n,
		    suffixes[i], n) == 0)
			return item->len - n;
	}
	return item->len;
}

bool
etag_match(const char *list, const char *tag)
{
	struct etag_item mine, item;

	list += strspn(list, " \t");
	if (list[0] == '*' && list[1 + strspn(list + 1, " \t")] == '\0')
		return true;
	if (!etag_next(tag, &mine))
		return false;
	while (etag_next(list, &item)) {
		if (etag_plain(&item) == mine.len &&
		    memcmp(item.text, mine.text, mine.len) == 0)
			return true;
		list = item.end;
	}
	return false;
}

static long long
etag_item_version(const struct etag_item *item)
{
	size_t n = etag_plain(item), i = 0;
	long long version = 0;

	while (i < n && i < 18 && item->text[i] >= '0' && item->text[i] <= '9')
		version = version * 10 + (item->text[i++] - '0');
	if (i == 0 || n - i != 17 || item->text[i] != '-')
		return -1;
	for (i++; i < n; i++)
		if (strchr("0123456789abcdef", item->text[i]) == NULL)
			return -1;
	return version;
}

long long
etag_version(const char *list)
{
	struct etag_item item;
	long long highest = -1;

	while (etag_next(list, &item)) {
		long long version = etag_item_version(&item);

		if (version > highest)
			highest = version;
		list = item.end;
	}
	return highest;
}

long long
etag_single(const char *tag)
{
	struct etag_item item;

	if ((tag[0] != '"' && tag[0] != 'W') || !etag_next(tag, &item) ||
	    item.end[0] != '\0')
		return -1;
	return etag_item_version(&item);
}

bool
etag_fits(const char *tag, size_t size)
{
	size_t len = strlen(tag), i = strncmp(tag, "W/", 2) == 0 ? 2 : 0;

	if (len >= size || len < i + 2 || tag[i] != '"' || tag[len - 1] != '"')
		return false;
	for (i++; i < len - 1; i++)
		if (tag[i] < 0x21 || tag[i] > 0x7e || tag[i] == '"')
			return false;
	return true;
}
