import { inOrder, nearest, neighbour, type LaneShapes, type Shape } from './shapes.js';
import type { LaneCard } from './laneCard.js';
import { describe } from './words.js';

/** What the pointer or the keyboard is at. */
export interface Inspection {
  /** Watches a lane's stage. */
  watch(card: LaneCard): void;
  /** After the lanes have moved or changed. */
  follow(card: LaneCard, shapes: LaneShapes, shift: number): void;
}

/** Px; a finger is broader than a pointer. */
const REACH: Readonly<Record<string, number>> = { touch: 32 };

/** From a mark to what is told of it. Px. */
const DISTANCE = 22;

/** Shows what a mark means, for as long as it is pointed at or stepped to. */
export function createInspection(tip: HTMLElement, spoken: Element): Inspection {
  const latest = new Map<LaneCard, { readonly shapes: readonly Shape[]; readonly shift: number }>();
  let at: { readonly card: LaneCard; readonly key: string; readonly aloud: boolean } | null = null;

  const place = (card: LaneCard, shape: Shape, shift: number): void => {
    const stage = card.stage.getBoundingClientRect();
    const x = stage.left + shape.x + shift;
    const half = tip.offsetWidth / 2;
    const left = Math.min(document.documentElement.clientWidth - half - 8, Math.max(half + 8, x));
    const y = stage.top + shape.y;
    const below = y + DISTANCE;
    const isBelow = below + tip.offsetHeight <= document.documentElement.clientHeight;
    tip.style.left = `${left}px`;
    tip.style.top = `${isBelow ? below : y - DISTANCE - tip.offsetHeight}px`;
  };
  const choose = (card: LaneCard, shape: Shape | undefined, aloud: boolean): void => {
    if (at !== null && at.card !== card) at.card.diagram.point(undefined);
    at = shape === undefined ? null : { card, key: shape.key, aloud };
    card.diagram.point(shape);
    tip.hidden = shape === undefined;
    if (shape === undefined) return;
    const { what, details } = describe(shape.mark, card.lane.name);
    const title = document.createElement('strong');
    title.textContent = what;
    tip.replaceChildren(title, details);
    if (aloud) spoken.textContent = `${what}: ${details}`;
    place(card, shape, latest.get(card)?.shift ?? 0);
  };

  return {
    watch: (card) => {
      const { stage } = card;
      const here = (): { shapes: readonly Shape[]; shift: number } => latest.get(card) ?? { shapes: [], shift: 0 };
      const look = ({ clientX, clientY, pointerType }: PointerEvent): void => {
        const { left, top } = stage.getBoundingClientRect();
        const { shapes, shift } = here();
        const shape = nearest(shapes, clientX - left - shift, clientY - top, REACH[pointerType]);
        // A pointer that rests is moved too when the page scrolls under it: it takes nothing from the keyboard.
        if (shape !== undefined || at?.aloud !== true) choose(card, shape, false);
      };
      stage.addEventListener('pointermove', look);
      stage.addEventListener('pointerdown', look);
      stage.addEventListener('pointerleave', ({ pointerType }) => {
        // A finger leaves when it is lifted; what it has tapped stays.
        if (pointerType !== 'touch') choose(card, undefined, false);
      });
      stage.addEventListener('blur', () => choose(card, undefined, false));
      stage.addEventListener('keydown', (event) => {
        if (event.key === 'Escape') choose(card, undefined, false);
        if (event.key !== 'ArrowLeft' && event.key !== 'ArrowRight') return;
        event.preventDefault();
        choose(
          card,
          neighbour(here().shapes, at?.card === card ? at.key : null, event.key === 'ArrowLeft' ? -1 : 1),
          true,
        );
      });
    },
    follow: (card, shapes, shift) => {
      const visible = inOrder(shapes).filter(({ x }) => x + shift >= 0);
      latest.set(card, { shapes: visible, shift });
      if (at?.card !== card) return;
      const { key } = at;
      const shape = visible.find((one) => one.key === key);
      if (shape === undefined) choose(card, undefined, false);
      else {
        card.diagram.point(shape);
        place(card, shape, shift);
      }
    },
  };
}
