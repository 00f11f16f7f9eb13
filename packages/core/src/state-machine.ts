import { InvalidTransitionError } from "./errors.ts";
import { callListener } from "./listener.ts";

/** For each state, the states it may become. A state may become itself only where the table says so. */
export type Transitions<S extends string> = { readonly [from in S]: readonly NoInfer<S>[] };

export interface StateMachineOptions<S extends string> {
  /** For messages and events, e.g. `task 0_3`. */
  readonly name: string;
  readonly initial: NoInfer<S>;
  readonly transitions: Transitions<S>;
}

export interface StateMachine<S extends string> {
  readonly name: string;
  readonly state: S;
  /** Whether the state is one of these. */
  is(...states: readonly S[]): boolean;
  /** Whether {@link StateMachine.transition} to this state would succeed now. */
  can(to: S): boolean;
  /**
   * Changes the state, then tells the listeners.
   *
   * @throws InvalidTransitionError when the table does not have this change; the state stays as it is.
   */
  transition(to: S): void;
  /**
   * Listeners run after the change, in the order they were added; each sees the changes in the order they happened.
   * A listener that fails does not stop the machine nor the other listeners (the first failure is a process warning).
   *
   * @returns a function that takes the listener off again.
   */
  onTransition(listener: (next: S, previous: S) => void): () => void;
}

/** A state machine whose legal changes are data. `transition` is the only thing that writes its state. */
export function createStateMachine<S extends string>(options: StateMachineOptions<S>): StateMachine<S> {
  const { name, transitions } = options;
  let state: S = options.initial;
  let subscriptions: readonly { readonly listener: (next: S, previous: S) => void }[] = [];
  const untold: { readonly next: S; readonly previous: S }[] = [];
  let telling = false;

  // A listener may itself change the state:
  //   1. A → B; the first listener is told (B, A) and makes it B → C.
  //   2. Told on the spot, the second listener would hear (C, B) and only then (B, A).
  // So the change of step 1 is told to all before that of step 2 is told to anybody.
  function tell(): void {
    if (telling) return;
    telling = true;
    for (let change = untold.shift(); change !== undefined; change = untold.shift()) {
      for (const subscription of subscriptions) {
        if (!subscriptions.includes(subscription)) continue;
        callListener(subscription.listener, undefined, name, change.next, change.previous);
      }
    }
    telling = false;
  }

  function can(to: S): boolean {
    return transitions[state].includes(to);
  }

  return {
    name,
    get state() {
      return state;
    },
    is: (...states) => states.includes(state),
    can,
    transition(to) {
      if (!can(to)) throw new InvalidTransitionError({ machine: name, from: state, to });
      const previous = state;
      state = to;
      untold.push({ next: to, previous });
      tell();
    },
    onTransition(listener) {
      const subscription = { listener };
      subscriptions = [...subscriptions, subscription];
      return () => {
        subscriptions = subscriptions.filter((other) => other !== subscription);
      };
    },
  };
}
