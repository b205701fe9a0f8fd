// bullmq.js ROLE URL PORT COUNT: the peer of tests/bench/tasks.sh: a queue in
// the Redis on PORT.
//
//	push	says the time in seconds, then adds COUNT jobs, 64 at a time
//	work	says "ready", fetches URL for each job, 64 at once, over kept
//		connections, and keeps what it answers; says the time after
//		COUNT, and ends
"use strict";

const http = require("http");
const { Queue, Worker } = require("bullmq");

const [role, url, port, count] = process.argv.slice(2);
const connection = { host: "127.0.0.1", port: Number(port),
	maxRetriesPerRequest: null };
const agent = new http.Agent({ keepAlive: true, maxSockets: 64 });

function fetchOnce() {
	return new Promise((resolve, reject) => {
		http.get(url, { agent }, (answer) => {
			const pieces = [];
			answer.on("data", (piece) => pieces.push(piece));
			answer.on("end", () => resolve({
				status: answer.statusCode,
				type: answer.headers["content-type"],
				body: Buffer.concat(pieces).toString(),
			}));
			answer.on("error", reject);
		}).on("error", reject);
	});
}

async function push() {
	const queue = new Queue("hits", { connection });
	let left = Number(count);

	async function line() {
		while (left-- > 0)
			await queue.add("hit", { url },
			    { removeOnComplete: { age: 3600 } });
	}
	await queue.waitUntilReady();
	console.log(Date.now() / 1000);
	await Promise.all(Array.from({ length: 64 }, line));
	await queue.close();
}

async function work() {
	let done = 0;
	const worker = new Worker("hits", fetchOnce,
	    { connection, concurrency: 64 });

	worker.on("failed", (job, error) => {
		console.error(error);
		process.exit(1);
	});
	worker.on("completed", () => {
		if (++done === Number(count)) {
			console.log(Date.now() / 1000);
			process.exit(0);
		}
	});
	await worker.waitUntilReady();
	console.log("ready");
}

(role === "push" ? push() : work()).catch((error) => {
	console.error(error);
	process.exit(1);
});
