/** A handwritten 2 of 28x28 pixels, light on dark: a PNG file in base64. */
export const exampleDigit =
  'iVBORw0KGgoAAAANSUhEUgAAABwAAAAcCAAAAABXZoBIAAAAxElEQVR42mNgoDUoqV39//+0WKxyK/+CwS05HHJX+zb8/VuFKWfy' +
  '6+8lBR4GtnN/ezAlfX9fkgRSVT/+OmIxVl4IRF78i1USDEq//z3GhUPO5/vf5/a4NDb8/TsBl9yGb3/n8+CQk3z196UyLo3H/v7t' +
  'xSXn9+PvXlyGCp/Ao7Ht79+1uDQy/Pj7V5IBj6S2CBCwMrCKiKhOmzZtMheKJBis6F8GZVUjJNf9RYCf37+vLC21RDK3rLq6GqRp' +
  'dnW1JsMgBQA3jnCz6BHpeAAAAABJRU5ErkJggg==';
