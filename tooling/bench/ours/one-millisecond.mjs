/** What the asynchronous handlers do. */
export function oneMillisecond() {
  return new Promise((resolve) => {
    setTimeout(resolve, 1);
  });
}
