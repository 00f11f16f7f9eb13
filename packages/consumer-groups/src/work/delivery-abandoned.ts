/** Rejects the promise of a record that nobody will handle here: no failure to ask `onError` about. */
export class DeliveryAbandoned extends Error {
  constructor() {
    super("the record was not handled");
  }
}
