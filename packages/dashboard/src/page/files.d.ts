// Files that the build puts beside the script.
declare module '*.css'
declare module '*.svg'
