/*
 * What a NATS server might send, and the URLs of brokers. Pieces make no
 * difference.
 */
#include "fuzz.h"

#include <string.h>

#include "nats.h"

static size_t
lines(const uint8_t *data, size_t len, size_t piece, enum nats_kind *said,
    size_t most)
{
	struct nats parser;
	size_t n = 0;

	nats_start(&parser);
	for (size_t done = 0; done < len; done += piece) {
		const char *at = (const char *)data + done;
		size_t left = len - done < piece ? len - done : piece;
		enum nats_kind kind;
		struct nats_info info;

		do {
			kind = nats_read(&parser, &at, &left);
			if (kind != NATS_MORE && n < most)
				said[n++] = kind;
			if (kind == NATS_INFO)
				nats_info(nats_rest(&parser), &info);
			TRUTH(parser.line.len <= NATS_LINE_MAX);
			TRUTH(parser.skip <= NATS_MESSAGE_MAX + 2);
			TRUTH(left <= len);
		} while (kind != NATS_MORE && kind != NATS_WRONG);
		if (kind == NATS_WRONG)
			break;
		TRUTH(left == 0);
	}
	nats_stop(&parser);
	return n;
}

static void
urls(const char *text)
{
	struct buf error = BUF_INIT(1000);
	struct broker_list list;

	if (broker_list_nats(&list, text, &error))
		for (size_t i = 0; i < list.count; i++)
			TRUTH(list.at[i].host[0] != '\0' &&
			    list.at[i].port > 0);
	else
		TRUTH(error.len > 0);
	broker_list_free(&list);
	buf_reset(&error);
	TRUTH(broker_list_redis(&list, text, &error) == (error.len == 0));
	broker_list_free(&list);
	buf_free(&error);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	enum nats_kind whole[64], pieces[64];
	size_t n = lines(data, len, len + 1, whole, 64);
	char *text = strndup((const char *)data, len);

	TRUTH(lines(data, len, 3, pieces, 64) == n);
	TRUTH(memcmp(whole, pieces, n * sizeof(*whole)) == 0);
	urls(text);
	free(text);
	return 0;
}
