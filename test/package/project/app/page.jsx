'use client'
import { useEffect } from 'react'
import * as library from '../src/main.js'

export default function Page() {
  useEffect(() => void library, [])
  return <p>A page with the library</p>
}
