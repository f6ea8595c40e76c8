import { createServer } from 'node:http'

// Reads a body and answers 200, and nothing else: the most that Node's own HTTP server can do.

const ANSWER = '{"received":true}'
const HEADERS = { 'Content-Type': 'application/json; charset=utf-8', 'Content-Length': ANSWER.length }

createServer((request, response) => {
  request.on('data', () => undefined)
  request.on('end', () => response.writeHead(200, HEADERS).end(ANSWER))
}).listen(Number(process.env.PORT), '127.0.0.1')
