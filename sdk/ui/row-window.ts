/** Which of many rows are on the page. In a file of its own: it is fetched once the first rows are painted. */
export { VirtualizerController as RowWindow } from '@tanstack/lit-virtual'
