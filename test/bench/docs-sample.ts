import express, { raw } from 'express'
import Stripe from 'stripe'

// The sample of https://docs.stripe.com/webhooks for Express, without its console.log per event, which would slow it down.

const stripe = new Stripe('sk_test_bench')
const endpointSecret = process.env.STRIPE_WEBHOOK_SECRET ?? ''
const app = express()

app.post('/webhook', raw({ type: 'application/json' }), (request, response) => {
  const signature = request.headers['stripe-signature'] ?? ''
  let event: Stripe.Event
  try {
    event = stripe.webhooks.constructEvent(request.body, signature, endpointSecret)
  } catch (error) {
    response.status(400).send(`Webhook Error: ${error instanceof Error ? error.message : error}`)
    return
  }
  switch (event.type) {
    case 'payment_intent.succeeded':
    case 'payment_method.attached':
      break
    default:
  }
  response.json({ received: true })
})

app.listen(Number(process.env.PORT), '127.0.0.1')
