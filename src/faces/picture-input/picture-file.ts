import type { FileInput } from '../../domains/define-domain.ts';
import type { Picture } from '../../pictures/picture-body.ts';
import { sniffPictureFormat } from '../../pictures/picture-format.ts';
import { readPictureHeader } from '../../pictures/picture-header.ts';

/** Pictures as files: the field of a form, and raw bodies. */
export const pictureFile: FileInput<Picture> = {
  field: 'file',
  mediaTypes: ['image/png', 'image/jpeg', 'image/webp', 'image/gif'],
  toInstance: (bytes) => ({ image: bytes }),
  describe: (bytes) => {
    const format = sniffPictureFormat(bytes);
    const header = format && readPictureHeader(bytes, format);
    return { ...(format && { format }), ...(header && { width: header.width, height: header.height }) };
  },
};
