import { float32, int64, type Tensors, text } from '../../tensor/tensor.ts';
import type { Passenger } from './schemas.ts';

/** One named tensor a column. A missing number is NaN, a missing port the empty text. */
export function encode(passengers: readonly Passenger[]): Tensors {
  const shape = [passengers.length];
  const column = <Value>(read: (passenger: Passenger) => Value) => passengers.map(read);
  return {
    pclass: int64(
      shape,
      column((passenger) => passenger.pclass),
    ),
    sex: text(
      shape,
      column((passenger) => passenger.sex),
    ),
    age: float32(
      shape,
      column((passenger) => passenger.age ?? Number.NaN),
    ),
    sibsp: int64(
      shape,
      column((passenger) => passenger.sibsp),
    ),
    parch: int64(
      shape,
      column((passenger) => passenger.parch),
    ),
    fare: float32(
      shape,
      column((passenger) => passenger.fare ?? Number.NaN),
    ),
    embarked: text(
      shape,
      column((passenger) => passenger.embarked ?? ''),
    ),
  };
}
